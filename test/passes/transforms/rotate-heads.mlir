// RUN: lori-opt %s --pass-pipeline='builtin.module(func.func(lm-rotate-heads))' | FileCheck %s

// CHECK-LABEL: func @narrow_cache
// CHECK-SAME: %[[Q:.+]]: tensor<?x128xf32>, %[[K:.+]]: tensor<?x64xf32>, %[[V:.+]]: tensor<?x64xf32>
func.func @narrow_cache(%q: tensor<?x128xf32>, %k: tensor<?x64xf32>, %v: tensor<?x64xf32>, %layer: index, %window: index,
    %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<4x8xi32>,
    %keys: tensor<64x2x1x64x16xf16>, %values: tensor<64x2x1x16x64xf16>) -> tensor<?x128xf32> {
  // CHECK: %[[FLAT:.+]] = tensor.collapse_shape %{{.+}} {{\[\[}}0, 1], [2]] : tensor<?x1x64xf32> into tensor<?x64xf32>
  // CHECK: %[[HK:.+]] = lori.hadamard : tensor<64x64xf32>
  // CHECK: lm.linear %[[FLAT]], %[[HK]]
  // CHECK: %[[TURNED:.+]] = tensor.collapse_shape
  // CHECK: lm.cache_append {{.+}}, %[[TURNED]], %[[V]] at
  // CHECK: %[[HQ:.+]] = lori.hadamard : tensor<64x64xf32>
  // CHECK: lm.linear %{{.+}}, %[[HQ]]
  // CHECK: lm.attention %{{.+}},
  %keys2, %values2 = lm.cache_append %keys, %values[%layer], %k, %v at(%positions, %sequences, %pages)
    : (tensor<64x2x1x64x16xf16>, tensor<64x2x1x16x64xf16>, index, tensor<?x64xf32>, tensor<?x64xf32>, tensor<?xi32>, tensor<?xi32>, tensor<4x8xi32>)
    -> (tensor<64x2x1x64x16xf16>, tensor<64x2x1x16x64xf16>)
  %y = lm.attention %q, %keys2, %values2[%layer] at(%positions, %sequences, %pages) window(%window) scale(0.125)
    : (tensor<?x128xf32>, tensor<64x2x1x64x16xf16>, tensor<64x2x1x16x64xf16>, index, tensor<?xi32>, tensor<?xi32>, tensor<4x8xi32>, index)
    -> tensor<?x128xf32>
  return %y : tensor<?x128xf32>
}

// Nothing is rounded.
// CHECK-LABEL: func @wide_cache
func.func @wide_cache(%q: tensor<?x128xf32>, %k: tensor<?x64xf32>, %v: tensor<?x64xf32>, %layer: index, %window: index,
    %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<4x8xi32>,
    %keys: tensor<64x2x1x64x16xf32>, %values: tensor<64x2x1x16x64xf32>) -> tensor<?x128xf32> {
  // CHECK-NOT: lori.hadamard
  %keys2, %values2 = lm.cache_append %keys, %values[%layer], %k, %v at(%positions, %sequences, %pages)
    : (tensor<64x2x1x64x16xf32>, tensor<64x2x1x16x64xf32>, index, tensor<?x64xf32>, tensor<?x64xf32>, tensor<?xi32>, tensor<?xi32>, tensor<4x8xi32>)
    -> (tensor<64x2x1x64x16xf32>, tensor<64x2x1x16x64xf32>)
  %y = lm.attention %q, %keys2, %values2[%layer] at(%positions, %sequences, %pages) window(%window) scale(0.125)
    : (tensor<?x128xf32>, tensor<64x2x1x64x16xf32>, tensor<64x2x1x16x64xf32>, index, tensor<?xi32>, tensor<?xi32>, tensor<4x8xi32>, index)
    -> tensor<?x128xf32>
  return %y : tensor<?x128xf32>
}

// CHECK-LABEL: func @no_power_of_two
func.func @no_power_of_two(%q: tensor<?x160xf32>, %k: tensor<?x80xf32>, %v: tensor<?x80xf32>, %layer: index, %window: index,
    %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<4x8xi32>,
    %keys: tensor<64x2x1x80x16xf16>, %values: tensor<64x2x1x16x80xf16>) -> tensor<?x160xf32> {
  // CHECK-NOT: lori.hadamard
  %keys2, %values2 = lm.cache_append %keys, %values[%layer], %k, %v at(%positions, %sequences, %pages)
    : (tensor<64x2x1x80x16xf16>, tensor<64x2x1x16x80xf16>, index, tensor<?x80xf32>, tensor<?x80xf32>, tensor<?xi32>, tensor<?xi32>, tensor<4x8xi32>)
    -> (tensor<64x2x1x80x16xf16>, tensor<64x2x1x16x80xf16>)
  %y = lm.attention %q, %keys2, %values2[%layer] at(%positions, %sequences, %pages) window(%window) scale(0.125)
    : (tensor<?x160xf32>, tensor<64x2x1x80x16xf16>, tensor<64x2x1x16x80xf16>, index, tensor<?xi32>, tensor<?xi32>, tensor<4x8xi32>, index)
    -> tensor<?x160xf32>
  return %y : tensor<?x160xf32>
}
