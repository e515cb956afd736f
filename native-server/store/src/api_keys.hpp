#pragma once

#include "fluxora/ports/api_keys.hpp"
#include "pool.hpp"

namespace fluxora::store {

class PostgresApiKeys final : public ports::ApiKeys {
 public:
  explicit PostgresApiKeys(ReadPool& pool) : pool_(pool) {}

  void find(std::string id, ports::Reply<std::optional<ports::ApiKey>> reply) override;
  void list(std::optional<std::string> after, std::size_t limit, ports::Reply<ports::ApiKeyPage> reply) override;
  void create(ports::NewApiKey key, ports::AuditRecord by, ports::Reply<ports::ApiKey> reply) override;
  void revoke(std::string id, ports::AuditRecord by, ports::Reply<bool> reply) override;

 private:
  ReadPool& pool_;
};

}  // namespace fluxora::store
