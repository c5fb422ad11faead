"""The database: tables and one query module per noun, on SQLite and on PostgreSQL.

Every function takes the connection of the caller's transaction and never commits.
"""
