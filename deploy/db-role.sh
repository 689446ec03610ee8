#!/bin/sh
# Runs once, when the database is made: the program gets a role of its own, which owns its database and nothing else.
set -eu
: "${SCA_DB_PASSWORD:?set SCA_DB_PASSWORD}"
psql --set ON_ERROR_STOP=1 --set password="$SCA_DB_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE ROLE sca LOGIN PASSWORD :'password' NOSUPERUSER NOCREATEDB NOCREATEROLE;
SELECT format('ALTER DATABASE %I OWNER TO sca', current_database()) \gexec
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO sca;
SQL
