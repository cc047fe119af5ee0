"""CodeConnections: connections to git providers, and the repositories behind them."""
