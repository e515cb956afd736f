-- Who was a stream's sender or recipient before someone else became it: statements go back to the time before a transfer.
-- SPEC section 5, accounts. An entry's `change` names what it changed, with the value before in front.

CREATE INDEX events_by_former_sender ON events ((change::json #>> '{sender,0}'))
  WHERE change LIKE '%"sender":[%';
CREATE INDEX events_by_former_recipient ON events ((change::json #>> '{recipient,0}'))
  WHERE change LIKE '%"recipient":[%';
