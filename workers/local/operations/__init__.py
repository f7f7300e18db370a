"""The operations of the Step Functions API, one file a resource. Each takes the region and checked parameters."""
