# Users and groups.
