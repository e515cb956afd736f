#pragma once

namespace fluxora::net::test {

/// The next `count` calls of accept() in this program that would give a connection fail with `error`, and leave the
/// connection where it is. For non-blocking sockets.
void fail_accepts(int count, int error);

}  // namespace fluxora::net::test
