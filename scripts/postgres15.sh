# Debian's PostgreSQL 15 in a folder of this checkout, so that installing the extension changes nothing outside it. Sourced.
# Invariant: the programs are copies. Postgres finds its other files relative to its program, with symbolic links resolved.
# Everything else links to Debian's files, so that the folder takes 18 MB and follows Debian's updates.
# shellcheck shell=bash

# install_postgres15: creates the folder, or brings it up to date with what Debian's packages have installed since.
install_postgres15() {
  local home libraries=$debian_postgres/lib share=/usr/share/postgresql/15
  home=$(home_of postgresql-15)/root
  pg_bin=$home$debian_postgres/bin
  mkdir -p "$pg_bin" "$home$libraries" "$home$share"
  # A program in use cannot be written to, but removed.
  cp -p -u --remove-destination "$debian_postgres"/bin/* "$pg_bin/"
  find "$home" -xtype l -delete # of packages that are no longer installed
  cp -rsn "$libraries/." "$home$libraries/"
  cp -rsn "$share/." "$home$share/"
}
