// Package register holds the versions of a table against what a single register
// would do: processes publish and read at the same time, each notes when it asked
// and when it was told, and Porcupine looks for an order in which one register
// gives the same answers (Herlihy and Wing, linearizability). The processes may be
// killed at any moment: what they had under way landed at some time behind its call,
// as the log says, or never.
package register
