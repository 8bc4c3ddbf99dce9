// A row so long that several groups share it.
// kernels: kernel reduce_parts.* items
func.func @main(%x: tensor<33001xf32>) -> tensor<f32> {
  %low = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %a = stablehlo.reduce(%x init: %low) applies stablehlo.maximum across dimensions = [0] : (tensor<33001xf32>, tensor<f32>) -> tensor<f32>
  return %a : tensor<f32>
}
