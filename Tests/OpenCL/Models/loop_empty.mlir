// No element at all.
func.func @main(%x: tensor<0x5xf32>, %y: tensor<3x5xf32>) -> (tensor<0x5xf32>, tensor<3xf32>) {
  %z = stablehlo.constant dense<0.0> : tensor<f32>
  %0 = stablehlo.negate %x : tensor<0x5xf32>
  %1 = stablehlo.slice %y [0:3, 0:0] : (tensor<3x5xf32>) -> tensor<3x0xf32>
  %2 = stablehlo.reduce(%1 init: %z) applies stablehlo.add across dimensions = [1] : (tensor<3x0xf32>, tensor<f32>) -> tensor<3xf32>
  return %0, %2 : tensor<0x5xf32>, tensor<3xf32>
}
