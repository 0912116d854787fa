//! What the service does, on answers as EC2 gives them.
