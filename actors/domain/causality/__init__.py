"""Self-deception tools: does a component see the future, and how long must it be warmed up?"""
