// Parts of the rows are folded apart.
// kernels: kernel reduce_parts
func.func @main(%x: tensor<70x5xf32>) -> tensor<5xf32> {
  %low = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %a = stablehlo.reduce(%x init: %zero) applies stablehlo.add across dimensions = [0] : (tensor<70x5xf32>, tensor<f32>) -> tensor<5xf32>
  return %a : tensor<5xf32>
}
