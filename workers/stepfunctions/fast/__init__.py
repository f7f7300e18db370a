"""The four calls that a worker lives on, without the AWS SDK's plumbing: a fifth of its CPU time."""
