// pass: canonicalize
func.func @fires(%x: tensor<2x5xf32>, %y: tensor<3x5xf32>, %z: tensor<0x5xf32>) -> (tensor<2x5xf32>, tensor<7x5xf32>) {
  %a = stablehlo.concatenate %x, dim = 0 : (tensor<2x5xf32>) -> tensor<2x5xf32>
  %b = stablehlo.concatenate %x, %y, dim = 0 : (tensor<2x5xf32>, tensor<3x5xf32>) -> tensor<5x5xf32>
  %c = stablehlo.concatenate %b, %z, %x, dim = 0 : (tensor<5x5xf32>, tensor<0x5xf32>, tensor<2x5xf32>) -> tensor<7x5xf32>
  return %a, %c : tensor<2x5xf32>, tensor<7x5xf32>
}
func.func @stays(%x: tensor<2x5xf32>, %y: tensor<2x3xf32>) -> tensor<4x8xf32> {
  %b = stablehlo.concatenate %x, %y, dim = 1 : (tensor<2x5xf32>, tensor<2x3xf32>) -> tensor<2x8xf32>
  %c = stablehlo.concatenate %b, %b, dim = 0 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<4x8xf32>
  return %c : tensor<4x8xf32>
}
// expect:
func.func public @fires(%x: tensor<2x5xf32>, %y: tensor<3x5xf32>, %z: tensor<0x5xf32>) -> (tensor<2x5xf32>, tensor<7x5xf32>) {
  %0 = stablehlo.concatenate %x, %y, %x, dim = 0 : (tensor<2x5xf32>, tensor<3x5xf32>, tensor<2x5xf32>) -> tensor<7x5xf32>
  return %x, %0 : tensor<2x5xf32>, tensor<7x5xf32>
}
func.func public @stays(%x: tensor<2x5xf32>, %y: tensor<2x3xf32>) -> (tensor<4x8xf32>) {
  %0 = stablehlo.concatenate %x, %y, dim = 1 : (tensor<2x5xf32>, tensor<2x3xf32>) -> tensor<2x8xf32>
  %1 = stablehlo.concatenate %0, %0, dim = 0 : (tensor<2x8xf32>, tensor<2x8xf32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}
