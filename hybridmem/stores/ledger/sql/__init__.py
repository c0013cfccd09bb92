"""The ledger in a SQL database: SQLite by default, PostgreSQL by URL."""
