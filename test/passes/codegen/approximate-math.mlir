// RUN: lori-opt %s --lori-approximate-math | FileCheck %s

// CHECK-LABEL: func.func @vectors
//   CHECK-NOT:   math.exp
//   CHECK-NOT:   math.tanh
//       CHECK:   math.fma {{.*}} : vector<8xf32>
//       CHECK:   return
func.func @vectors(%x: vector<8xf32>) -> (vector<8xf32>, vector<8xf32>) {
  %e = math.exp %x : vector<8xf32>
  %t = math.tanh %x : vector<8xf32>
  return %e, %t : vector<8xf32>, vector<8xf32>
}

// Polynomials of sine and cosine lose digits on large arguments.
// CHECK-LABEL: func.func @angles
//       CHECK:   math.sin {{.*}} : vector<8xf32>
//       CHECK:   math.cos {{.*}} : vector<8xf32>
func.func @angles(%x: vector<8xf32>) -> (vector<8xf32>, vector<8xf32>) {
  %s = math.sin %x : vector<8xf32>
  %c = math.cos %x : vector<8xf32>
  return %s, %c : vector<8xf32>, vector<8xf32>
}

// CHECK-LABEL: func.func @double
//       CHECK:   math.exp {{.*}} : f64
func.func @double(%x: f64) -> f64 {
  %e = math.exp %x : f64
  return %e : f64
}
