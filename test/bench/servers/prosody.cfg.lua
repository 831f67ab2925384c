-- Prosody as fast as it goes: epoll, no Nagle, generational garbage collection, no module that is not measured.
run_as_root = true
daemonize = false
pidfile = "@DIRECTORY@/prosody.pid"
data_path = "@DATA@"
network_backend = "epoll"
network_settings = { nagle = false }
gc = { mode = "generational" }
modules_enabled = { "roster", "saslauth", "tls", "disco", "ping", "posix", "offline", @ARCHIVE@ @WEBSOCKET@ }
archive_expires_after = "never"
default_archive_policy = true
modules_disabled = { "s2s" }
interfaces = { "127.0.0.1" }
c2s_ports = { @PLAIN@ }
c2s_direct_tls_ports = { @TLS@ }
s2s_ports = {}
s2s_direct_tls_ports = {}
http_ports = {}
https_ports = { @HTTPS@ }
component_ports = {}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_hashed"
default_iteration_count = @ITERATIONS@
storage = "internal"
ssl = { certificate = "@CERTIFICATE@", key = "@KEY@" }
log = { warn = "@DIRECTORY@/prosody.log" }
VirtualHost "@DOMAIN@"
@ROOMS@
