// pass: canonicalize
func.func @fires(%x: tensor<2x3x5xf32>, %y: tensor<2x3xf32>) -> (tensor<3xf32>, tensor<2x1xf32>) {
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %t = stablehlo.transpose %x, dims = [0, 2, 1] : (tensor<2x3x5xf32>) -> tensor<2x5x3xf32>
  %a = stablehlo.reduce(%t init: %z) applies stablehlo.add across dimensions = [0, 1] : (tensor<2x5x3xf32>, tensor<f32>) -> tensor<3xf32>
  %u = stablehlo.reshape %y : (tensor<2x3xf32>) -> tensor<2x3x1xf32>
  %b = stablehlo.reduce(%u init: %z) applies stablehlo.add across dimensions = [1] : (tensor<2x3x1xf32>, tensor<f32>) -> tensor<2x1xf32>
  return %a, %b : tensor<3xf32>, tensor<2x1xf32>
}
func.func @stays(%x: tensor<2x3xf32>) -> tensor<f32> {
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %t = stablehlo.transpose %x, dims = [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %a = stablehlo.reduce(%t init: %z) applies stablehlo.add across dimensions = [0, 1] : (tensor<3x2xf32>, tensor<f32>) -> tensor<f32>
  return %a : tensor<f32>
}
// expect:
func.func public @fires(%x: tensor<2x3x5xf32>, %y: tensor<2x3xf32>) -> (tensor<3xf32>, tensor<2x1xf32>) {
  %0 = stablehlo.constant dense<0.0> : tensor<f32>
  %1 = stablehlo.reduce(%x init: %0) applies stablehlo.add across dimensions = [0, 2] : (tensor<2x3x5xf32>, tensor<f32>) -> tensor<3xf32>
  %3 = stablehlo.reduce(%y init: %0) applies stablehlo.add across dimensions = [1] : (tensor<2x3xf32>, tensor<f32>) -> tensor<2xf32>
  %5 = stablehlo.reshape %3 : (tensor<2xf32>) -> tensor<2x1xf32>
  return %1, %5 : tensor<3xf32>, tensor<2x1xf32>
}
func.func public @stays(%x: tensor<2x3xf32>) -> (tensor<f32>) {
  %0 = stablehlo.constant dense<0.0> : tensor<f32>
  %1 = stablehlo.transpose %x, dims = [1, 0] : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %2 = stablehlo.reduce(%1 init: %0) applies stablehlo.add across dimensions = [0, 1] : (tensor<3x2xf32>, tensor<f32>) -> tensor<f32>
  return %2 : tensor<f32>
}
