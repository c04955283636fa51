"""What `compare.py` puts: a class that both a policy and a process of its own can import."""


class Metrics:
    """An object of three parts."""

    def __init__(self, summary, output, data):
        self.summary, self.output, self.data = summary, output, data
