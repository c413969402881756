"""What speaks HTTP: the gateway, its routes, who may ask, and errors as problem+json."""
