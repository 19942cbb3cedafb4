// Package structs moves rows between Arrow record batches and Go structs.
//
// A struct type and a schema are compiled once into a plan: for each column a
// function that knows the Arrow array, the offset of the field and the size of the
// struct, and then works on whole columns. Rows cost no reflection and, but for
// maps and values of type any, no allocation of their own: text, bytes, elements of
// lists and targets of pointers are allocated for many rows at a time.
package structs
