"""The wire formats of Amazon Web Services.

Sources: the API references of Bedrock Runtime, of its agents and of SageMaker Runtime, the user guide's page
on inference parameters, and Smithy's description of the event stream.

    converse.py      POST /model/{id}/converse, …/converse-stream
    invoke.py        POST /model/{id}/invoke, …/invoke-with-response-stream: each model its own format
    agents.py        agents and knowledge bases of Bedrock
    sagemaker.py     POST /endpoints/{name}/invocations
    _model.py        which model a path names, and whether Bedrock is meant at all
    _inner.py        the formats inside InvokeModel and SageMaker
    _usage.py        usage and errors in Amazon's words
    _terms.py        what is paid for beside tokens
    _conversation.py the messages of converse.py, for people
"""
