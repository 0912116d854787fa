-- Makes the SCRAM verifier of pallet.password, with the salt that the role's verifier has, or with
-- a new one. `same` tells whether the role has this verifier.
with recursive entered as (
  select
    decode(current_setting('pallet.password'), 'hex') as word,
    rolpassword as now,
    regexp_match(rolpassword, '^SCRAM-SHA-256\$([0-9]+):([^$]+)\$') as parts
  from pg_authid
  where rolname = :'role'
), keyed as (
  select
    ('x' || rpad(encode(case when length(word) > 64 then sha256(word) else word end, 'hex'),
      128, '0'))::bit(512) as key,
    coalesce(parts[1]::int, 4096) as rounds,
    coalesce(decode(parts[2], 'base64'), uuid_send(gen_random_uuid())) as salt,
    now
  from entered
), padded as materialized (
  select
    substring(bit_send(key # ('x' || repeat('36', 64))::bit(512)) from 5) as inside,
    substring(bit_send(key # ('x' || repeat('5c', 64))::bit(512)) from 5) as outside,
    rounds, salt, now
  from keyed
), steps as (
  select 1 as step, first.hash, ('x' || encode(first.hash, 'hex'))::bit(256)::bit varying as bits
  from padded,
    sha256(outside || sha256(inside || salt || '\x00000001'::bytea)) as first (hash)
  union all
  select step + 1, next.hash, bits # ('x' || encode(next.hash, 'hex'))::bit(256)
  from steps, padded, sha256(outside || sha256(inside || steps.hash)) as next (hash)
  where step < rounds
), salted as (
  select
    substring(bit_send(bits || repeat('0', 256)::bit(256)
      # ('x' || repeat('36', 64))::bit(512)) from 5) as inside,
    substring(bit_send(bits || repeat('0', 256)::bit(256)
      # ('x' || repeat('5c', 64))::bit(512)) from 5) as outside
  from steps, padded
  where step = rounds
), made as (
  select format('SCRAM-SHA-256$%s:%s$%s:%s', rounds, encode(salt, 'base64'),
    encode(sha256(sha256(s.outside || sha256(s.inside || 'Client Key'::bytea))), 'base64'),
    encode(sha256(s.outside || sha256(s.inside || 'Server Key'::bytea)), 'base64')) as verifier, now
  from padded, salted as s
)
select verifier, coalesce(verifier = now, false) as same from made \gset
