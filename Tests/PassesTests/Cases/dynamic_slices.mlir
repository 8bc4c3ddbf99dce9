// pass: canonicalize
func.func @fires(%x: tensor<4x5xf32>, %u: tensor<4x5xf32>, %i: tensor<i32>) -> (tensor<2x5xf32>, tensor<4x5xf32>) {
  %c = stablehlo.constant dense<3> : tensor<i32>
  %a = stablehlo.dynamic_slice %x, %c, %i, sizes = [2, 5] : (tensor<4x5xf32>, tensor<i32>, tensor<i32>) -> tensor<2x5xf32>
  %b = stablehlo.dynamic_update_slice %x, %u, %i, %i : (tensor<4x5xf32>, tensor<4x5xf32>, tensor<i32>, tensor<i32>) -> tensor<4x5xf32>
  return %a, %b : tensor<2x5xf32>, tensor<4x5xf32>
}
func.func @stays(%x: tensor<4x5xf32>, %i: tensor<i32>) -> tensor<2x5xf32> {
  %c = stablehlo.constant dense<0> : tensor<i32>
  %a = stablehlo.dynamic_slice %x, %i, %c, sizes = [2, 5] : (tensor<4x5xf32>, tensor<i32>, tensor<i32>) -> tensor<2x5xf32>
  return %a : tensor<2x5xf32>
}
// expect:
func.func public @fires(%x: tensor<4x5xf32>, %u: tensor<4x5xf32>, %i: tensor<i32>) -> (tensor<2x5xf32>, tensor<4x5xf32>) {
  %0 = stablehlo.slice %x [2:4, 0:5] : (tensor<4x5xf32>) -> tensor<2x5xf32>
  return %0, %u : tensor<2x5xf32>, tensor<4x5xf32>
}
func.func public @stays(%x: tensor<4x5xf32>, %i: tensor<i32>) -> (tensor<2x5xf32>) {
  %0 = stablehlo.constant dense<0> : tensor<i32>
  %1 = stablehlo.dynamic_slice %x, %i, %0, sizes = [2, 5] : (tensor<4x5xf32>, tensor<i32>, tensor<i32>) -> tensor<2x5xf32>
  return %1 : tensor<2x5xf32>
}
