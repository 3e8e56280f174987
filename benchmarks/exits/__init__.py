"""What programs that end short of processor keep of their calls, beside OpenTelemetry."""
