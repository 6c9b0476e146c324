-- What the figures on sessions are summed up from, in one walk over an index that holds it all.
CREATE INDEX registration_figures ON registration (session_id, channel, status, party_size, attended_count, was_waitlisted);
