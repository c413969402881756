"""Answers for the world outside on Ray Serve: regimes of bars that are sent in, and the models that give them.

The decision path does not pass through here: agents call each other directly, and nothing under `actors` imports this
package.

Two deployments. `Gateway` speaks HTTP: who may ask, is the question well formed, which model answers. `RegimeInference`
computes. Apart, because a fit holds the interpreter: a gateway that computes would answer ``/livez`` late.

A model's versions are files, and which one is active is the last line of a signed log that every replica looks at
when a request comes in. So a swap takes effect everywhere with the next request, restarts nothing, and outlives every
process. The alternatives: `user_config` redeploys the replicas' settings one after another, so for a while two
versions answer; an actor would have to be made durable first.

What is asked is answered from the request and the version alone. Replicas keep nothing between requests, so that any
of them may be killed or asked again.
"""
