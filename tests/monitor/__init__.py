"""The monitor of a process, and the calls that are captured in a block."""
