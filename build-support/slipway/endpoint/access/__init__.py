"""Who may do what at an endpoint: tokens, signatures, and the policies of roles."""
