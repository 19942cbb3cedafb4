// Package lake runs whole jobs against stores behind a network, with the command
// as it is shipped: running servers, several processes, one table.
package lake
