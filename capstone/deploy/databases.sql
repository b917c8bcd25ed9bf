-- MLflow's own database: it and the events each keep their version in a table of the same name.
CREATE DATABASE mlflow;
