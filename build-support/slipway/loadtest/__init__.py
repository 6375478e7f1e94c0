"""Load tests of an endpoint: what it can carry, what that means for scaling, what differs."""
