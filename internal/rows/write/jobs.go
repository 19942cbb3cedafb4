package write

// relieve closes the largest files while the writer holds more than its share
// of memory.
func (w *Writer) relieve() error {
	for {
		var held int64
		var largest *openFile
		var number int32
		for n, f := range w.open {
			h := f.held()
			held += h
			if largest == nil || h > largest.held() {
				largest, number = f, n
			}
		}
		if held <= w.layout.budget || largest == nil {
			return w.usable()
		}
		delete(w.open, number)
		w.run(largest, true)
		w.wait(largest)
	}
}

// run starts a job that encodes what waits in a file, after the job before it;
// with end the job completes the file.
func (w *Writer) run(f *openFile, end bool) {
	before := f.job
	if before != nil {
		<-before // at most one piece runs ahead
	}
	pieces := f.waiting
	f.waiting, f.bytes = nil, 0
	f.sealed = end
	f.job = make(chan struct{})
	done := f.job
	w.slots <- struct{}{}
	w.jobs.Add(1)
	go func() {
		defer w.jobs.Done()
		defer close(done)
		defer func() { <-w.slots }()
		w.work(f, pieces, end)
	}()
}

func (w *Writer) work(f *openFile, pieces []piece, end bool) {
	if w.usable() != nil {
		return
	}
	err := f.encode(pieces)
	if err == nil && end {
		err = f.complete()
	}
	if err != nil {
		w.fail(err)
	}
}

func (w *Writer) wait(f *openFile) {
	if f.job != nil {
		<-f.job
	}
}

// fail records the first error.
func (w *Writer) fail(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed == nil {
		w.failed = err
	}
	return w.failed
}

func (w *Writer) usable() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed != nil {
		return w.failed
	}
	if w.ended {
		return errEnded
	}
	return w.ctx.Err()
}
