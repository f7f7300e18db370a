"""What tasks call besides activities: AWS services, nested executions, Lambda functions, mocks."""
