"""The functions as the cloud runs them, without the cloud: built by the SAM CLI, run by Lambda's own runtime client.

`build` makes the artifact, `trim` compiles it and drops what no handler imports, `api` is the Runtime API that Lambda
documents, `sandbox` one process of a function, `proxy` the network between it and its database, `events` a good and a
bad event for each function, `proof` sends them all and prints the table. `make lambda` does the whole of it.
"""
