"""What learns: the classical pipelines and the networks."""
