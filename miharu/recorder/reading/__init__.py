"""Exchange -> Call: the facts of a call, without secrets.

reader.py    the call, from what the parts below find
formats.py   which wire formats a request may be in
outcome.py   how a call ended, judged in one place
headers.py   the facts that headers carry
prompts.py   which prompt it has, and which version of it
batches.py   the results of a batch, each line a call
jobs.py      when the work began that goes on after its answer
attempts.py  which calls are attempts of one logical call
tool_names.py  the tools that the answer asked for
tool_runs.py   the runs of tools whose results the request brings
estimate.py  an estimate of tokens that were not reported, where it is enabled
redactor.py  removes credentials from what is kept
content.py   the bodies that are kept
"""
