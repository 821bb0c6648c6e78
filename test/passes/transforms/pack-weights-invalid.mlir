// RUN: lori-opt %s --verify-diagnostics --lori-pack-weights=rows=0

// expected-error @below {{expected a positive number of panel rows, found 0}}
module {
}
