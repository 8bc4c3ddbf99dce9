// pass: canonicalize
func.func @fires(%x: tensor<3x2xf32>, %y: tensor<5x3xf32>) -> tensor<5x2xf32> {
  %a = stablehlo.transpose %x, dims = [1, 0] : (tensor<3x2xf32>) -> tensor<2x3xf32>
  %b = stablehlo.transpose %y, dims = [1, 0] : (tensor<5x3xf32>) -> tensor<3x5xf32>
  %c = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  %d = stablehlo.transpose %c, dims = [1, 0] : (tensor<2x5xf32>) -> tensor<5x2xf32>
  return %d : tensor<5x2xf32>
}
func.func @stays(%x: tensor<2x3x5xf32>, %y: tensor<5x2xf32>) -> tensor<3x2x2xf32> {
  %a = stablehlo.transpose %x, dims = [1, 0, 2] : (tensor<2x3x5xf32>) -> tensor<3x2x5xf32>
  %c = stablehlo.dot_general %a, %y, contracting_dims = [2] x [0] : (tensor<3x2x5xf32>, tensor<5x2xf32>) -> tensor<3x2x2xf32>
  return %c : tensor<3x2x2xf32>
}
func.func @stays_read_twice(%x: tensor<2x3xf32>, %y: tensor<3x5xf32>) -> (tensor<2x5xf32>, tensor<5x2xf32>) {
  %c = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  %d = stablehlo.transpose %c, dims = [1, 0] : (tensor<2x5xf32>) -> tensor<5x2xf32>
  return %c, %d : tensor<2x5xf32>, tensor<5x2xf32>
}
// expect:
func.func public @fires(%x: tensor<3x2xf32>, %y: tensor<5x3xf32>) -> (tensor<5x2xf32>) {
  %0 = stablehlo.dot_general %y, %x, contracting_dims = [1] x [0] : (tensor<5x3xf32>, tensor<3x2xf32>) -> tensor<5x2xf32>
  return %0 : tensor<5x2xf32>
}
func.func public @stays(%x: tensor<2x3x5xf32>, %y: tensor<5x2xf32>) -> (tensor<3x2x2xf32>) {
  %0 = stablehlo.transpose %x, dims = [1, 0, 2] : (tensor<2x3x5xf32>) -> tensor<3x2x5xf32>
  %1 = stablehlo.dot_general %0, %y, contracting_dims = [2] x [0] : (tensor<3x2x5xf32>, tensor<5x2xf32>) -> tensor<3x2x2xf32>
  return %1 : tensor<3x2x2xf32>
}
func.func public @stays_read_twice(%x: tensor<2x3xf32>, %y: tensor<3x5xf32>) -> (tensor<2x5xf32>, tensor<5x2xf32>) {
  %0 = stablehlo.dot_general %x, %y, contracting_dims = [1] x [0] : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  %1 = stablehlo.transpose %0, dims = [1, 0] : (tensor<2x5xf32>) -> tensor<5x2xf32>
  return %0, %1 : tensor<2x5xf32>, tensor<5x2xf32>
}
