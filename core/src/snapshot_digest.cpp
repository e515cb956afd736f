#include "fluxora/core/snapshot_digest.hpp"

#include "fluxora/core/sha256.hpp"
#include "fluxora/core/xdr.hpp"

namespace fluxora::core {

Hash snapshot_digest(const Hash& previous, std::string_view stream_id, std::uint64_t last_seq,
                     const std::optional<Bytes>& state) {
  Bytes bytes;
  XdrWriter xdr(bytes);
  xdr.write_fixed(previous);
  xdr.write_string(stream_id);
  xdr.write_u64(last_seq);
  xdr.write_bool(state.has_value());
  if (state) xdr.write_variable(*state);
  return sha256(bytes);
}

}  // namespace fluxora::core
