package storage

// Describer is what a Driver may add to tell people how it reaches its store:
// short names with plain values, for example "endpoint" or "credential". Values
// name secrets, they never are secrets.
type Describer interface {
	Describe() map[string]string
}

// Describe is what the driver below tells about itself, nothing when it does not.
func (b *Bucket) Describe() map[string]string {
	if d, ok := b.driver.(Describer); ok {
		return d.Describe()
	}
	return nil
}
