"""Operating-system processes of jobs and endpoints: forked warm, each with its own /opt/ml and /tmp."""
