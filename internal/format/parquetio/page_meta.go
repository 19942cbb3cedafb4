package parquetio

// pageHeader is the header of one page.
type pageHeader struct {
	kind                   int32
	raw, size              int32
	values, rows, nulls    int32 // rows and nulls: V2 only
	encoding               int32
	defEncoding, repEncode int32
	defBytes, repBytes     int32 // V2
	plain                  bool  // V2: not compressed
}

// parsePageHeader decodes a header and says how long it is.
func parsePageHeader(b []byte) (pageHeader, int, error) {
	h := pageHeader{kind: -1, rows: -1, values: -1, defEncoding: encRLE, repEncode: encRLE}
	r := &thriftReader{b: b}
	r.fields(func(id int16, kind byte) {
		switch {
		case id == 1 && kind == thriftI32:
			h.kind = int32(r.zigzag())
		case id == 2 && kind == thriftI32:
			h.raw = int32(r.zigzag())
		case id == 3 && kind == thriftI32:
			h.size = int32(r.zigzag())
		case (id == 5 || id == 7) && kind == thriftStruct:
			to := [...]*int32{nil, &h.values, &h.encoding, &h.defEncoding, &h.repEncode}
			r.fields(func(f int16, k byte) {
				if k == thriftI32 && f >= 1 && int(f) < len(to) {
					*to[f] = int32(r.zigzag())
					return
				}
				r.skip(k)
			})
		case id == 8 && kind == thriftStruct:
			to := [...]*int32{nil, &h.values, &h.nulls, &h.rows, &h.encoding, &h.defBytes, &h.repBytes}
			r.fields(func(f int16, k byte) {
				if k == thriftI32 && f >= 1 && int(f) < len(to) {
					*to[f] = int32(r.zigzag())
					return
				}
				if f == 7 && (k == thriftTrue || k == thriftFalse) {
					h.plain = k == thriftFalse
					return
				}
				r.skip(k)
			})
		default:
			r.skip(kind)
		}
	})
	if r.err != nil {
		return h, 0, r.err
	}
	if h.raw < 0 || h.size < 0 || (h.kind != 1 && h.values < 0) || h.defBytes < 0 || h.repBytes < 0 {
		return h, 0, errThrift
	}
	return h, len(b) - len(r.b), nil
}

// pageLocation is an entry of the offset index.
type pageLocation struct {
	at       int64
	size     int32
	firstRow int64
}

func parseOffsetIndex(b []byte) ([]pageLocation, error) {
	var out []pageLocation
	r := &thriftReader{b: b}
	r.fields(func(id int16, kind byte) {
		if id != 1 || kind != thriftList {
			r.skip(kind)
			return
		}
		r.list(func(byte) {
			var p pageLocation
			r.fields(func(f int16, k byte) {
				switch f {
				case 1:
					p.at = r.zigzag()
				case 2:
					p.size = int32(r.zigzag())
				case 3:
					p.firstRow = r.zigzag()
				default:
					r.skip(k)
				}
			})
			out = append(out, p)
		})
	})
	return out, r.err
}

// parseColumnIndex decodes the bounds of each page.
func parseColumnIndex(b []byte) ([]pageBounds, error) {
	var allNull []bool
	var los, his [][]byte
	var nulls []int64
	r := &thriftReader{b: b}
	r.fields(func(id int16, kind byte) {
		if kind != thriftList || id == 4 {
			r.skip(kind)
			return
		}
		switch id {
		case 1:
			r.list(func(byte) { allNull = append(allNull, r.byte() == thriftTrue) })
		case 2:
			r.list(func(byte) { los = append(los, r.bytes()) })
		case 3:
			r.list(func(byte) { his = append(his, r.bytes()) })
		case 5:
			r.list(func(byte) { nulls = append(nulls, r.zigzag()) })
		default:
			r.skip(kind)
		}
	})
	if r.err != nil || len(los) != len(allNull) || len(his) != len(allNull) || nulls != nil && len(nulls) != len(allNull) {
		return nil, errThrift
	}
	out := make([]pageBounds, len(allNull))
	for i := range out {
		out[i] = pageBounds{lo: los[i], hi: his[i], nulls: -1, allNull: allNull[i]}
		if nulls != nil {
			out[i].nulls = nulls[i]
		}
		if allNull[i] {
			out[i].lo, out[i].hi = nil, nil
		}
	}
	return out, nil
}
