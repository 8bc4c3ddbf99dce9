// A layer norm: two folds, of which the second needs the first, and operands for each column.
// kernels: kernel .* items
func.func @main(%x: tensor<6x100xf32>, %g: tensor<100xf32>) -> tensor<6x100xf32> {
  %low = stablehlo.constant dense<0xFF800000> : tensor<f32>
  %zero = stablehlo.constant dense<0.0> : tensor<f32>
  %n = stablehlo.constant dense<100.0> : tensor<6xf32>
  %a = stablehlo.reduce(%x init: %zero) applies stablehlo.add across dimensions = [1] : (tensor<6x100xf32>, tensor<f32>) -> tensor<6xf32>
  %mean = stablehlo.divide %a, %n : tensor<6xf32>
  %mb = stablehlo.broadcast_in_dim %mean, dims = [0] : (tensor<6xf32>) -> tensor<6x100xf32>
  %d = stablehlo.subtract %x, %mb : tensor<6x100xf32>
  %q = stablehlo.multiply %d, %d : tensor<6x100xf32>
  %v = stablehlo.reduce(%q init: %zero) applies stablehlo.add across dimensions = [1] : (tensor<6x100xf32>, tensor<f32>) -> tensor<6xf32>
  %var = stablehlo.divide %v, %n : tensor<6xf32>
  %r = stablehlo.rsqrt %var : tensor<6xf32>
  %rb = stablehlo.broadcast_in_dim %r, dims = [0] : (tensor<6xf32>) -> tensor<6x100xf32>
  %gb = stablehlo.broadcast_in_dim %g, dims = [1] : (tensor<100xf32>) -> tensor<6x100xf32>
  %y = stablehlo.multiply %d, %rb : tensor<6x100xf32>
  %z = stablehlo.multiply %y, %gb : tensor<6x100xf32>
  return %z : tensor<6x100xf32>
}
