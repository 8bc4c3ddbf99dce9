// Two loops that do not depend on each other run on two threads.
func.func @main(%x: tensor<3x160xi32>, %y: tensor<3x160xi32>, %w: tensor<160x160xi32>) -> tensor<3x160xi32> {
  %zero = stablehlo.constant dense<0> : tensor<i32>
  %m = stablehlo.constant dense<7> : tensor<i32>
  %n = stablehlo.constant dense<5> : tensor<i32>
  %ra:2 = stablehlo.while(%i = %zero, %v = %x) : tensor<i32>, tensor<3x160xi32>
  cond {
    %c = stablehlo.compare LT, %i, %m : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %c : tensor<i1>
  } do {
    %one = stablehlo.constant dense<1> : tensor<i32>
    %next = stablehlo.add %i, %one : tensor<i32>
    %p = stablehlo.dot_general %v, %w, contracting_dims = [1] x [0] : (tensor<3x160xi32>, tensor<160x160xi32>) -> tensor<3x160xi32>
    %t = stablehlo.xor %p, %v : tensor<3x160xi32>
    stablehlo.return %next, %t : tensor<i32>, tensor<3x160xi32>
  }
  %rb:2 = stablehlo.while(%i = %zero, %v = %y) : tensor<i32>, tensor<3x160xi32>
  cond {
    %c = stablehlo.compare LT, %i, %n : (tensor<i32>, tensor<i32>) -> tensor<i1>
    stablehlo.return %c : tensor<i1>
  } do {
    %one = stablehlo.constant dense<1> : tensor<i32>
    %next = stablehlo.add %i, %one : tensor<i32>
    %p = stablehlo.dot_general %v, %w, contracting_dims = [1] x [0] : (tensor<3x160xi32>, tensor<160x160xi32>) -> tensor<3x160xi32>
    %t = stablehlo.xor %p, %v : tensor<3x160xi32>
    stablehlo.return %next, %t : tensor<i32>, tensor<3x160xi32>
  }
  %s = stablehlo.subtract %ra#1, %rb#1 : tensor<3x160xi32>
  return %s : tensor<3x160xi32>
}
