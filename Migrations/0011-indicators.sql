-- What the figures on sessions are summed up from, in one walk over an index that holds it all.
CREATE INDEX registration_figures ON registration (session_id, channel, status, party_size, attended_count, was_waitlisted);

-- An adoption's row is long, by the idea's steps as they were then; what is counted of it is short.
CREATE INDEX adoption_figures ON adoption (idea_id, coop_id, status, started_on, ended_on, retex_score);

-- Who waited for a seat until the session was over.
CREATE INDEX history_of_waiting ON history (id, to_status, from_status) WHERE type = 'registration' AND to_status = 'expired' AND from_status = 'waitlisted';
