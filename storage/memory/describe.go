package memory

// Describe says what the store is.
func (s *Store) Describe() map[string]string { return describe() }

// Describe says what the store is.
func (p *place) Describe() map[string]string { return describe() }

func describe() map[string]string {
	return map[string]string{"store": "memory of this process", "put-if-absent": "a lock in this process", "credential": "none",
		"warning": "the objects end with this process, and no other can see them"}
}
