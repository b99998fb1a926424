"""What was done in an AWS account, and by whom: the records of CloudTrail."""
