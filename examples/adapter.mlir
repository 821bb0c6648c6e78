// A projection with an adapter, as README.md and `./dev demo` show it.
lori.param @w : tensor<1536x576xf16> from <"base", "up_proj.weight", []>
lori.param @a : tensor<32x576xf32> from <"tiny", "up_proj.lora_A.weight", []>
lori.param @b : tensor<1536x32xf32> from <"tiny", "up_proj.lora_B.weight", []>

func.func @up(%x: tensor<?x576xf32>) -> tensor<?x1536xf32> {
  %w = lori.get_param @w : tensor<1536x576xf16>
  %a = lori.get_param @a : tensor<32x576xf32>
  %b = lori.get_param @b : tensor<1536x32xf32>
  %s = arith.constant 2.0 : f32
  %0 = lm.linear %x, %w : (tensor<?x576xf32>, tensor<1536x576xf16>) -> tensor<?x1536xf32>
  %y = lori.adapt %0, %x, %a, %b scale(%s)
    : (tensor<?x1536xf32>, tensor<?x576xf32>, tensor<32x576xf32>, tensor<1536x32xf32>, f32) -> tensor<?x1536xf32>
  return %y : tensor<?x1536xf32>
}
