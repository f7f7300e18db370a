"""One task, from the token that a poll brought to the report that Step Functions took."""
