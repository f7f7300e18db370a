"""Definitions for AWS Batch (`manager: batch`): chains and graphs of jobs, run by Step Functions."""
