"""The store in a SQL database: SQLite in a file or in memory, by SQLAlchemy."""
